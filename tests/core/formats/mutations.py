"""Small damages to a text, as hands, merges and other tools do them; the same seed gives the same damage."""

import random

PIECES = ["", " ", "\n", "\t", "- [ ] ", "- ", "#", "###", "---\n", "{", "}", "[", "]", '"', ",", ":"]
PIECES += ["null", "1e999", "NaN", "9" * 20, "\\ud800", "\\u0000", "\u202e", "é", "追", "T001", "depends on", "→"]
PIECES += ["```\n", "<!--", "-->"]


def mutated(text: str, chance: random.Random) -> str:
    """The text after one to eight cuts, repeats, swaps and insertions."""
    for _ in range(chance.randint(1, 8)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 1, 5, 40]))
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:end] + text[start:end] * chance.randint(1, 3) + text[end:]
        elif kind == 2:
            other = chance.randrange(len(text) + 1)
            text = text[:start] + text[other : other + 20] + text[end:]
        else:
            text = text[:start] + chance.choice(PIECES) * chance.choice([1, 1, 1, 50]) + text[end:]
    return text
