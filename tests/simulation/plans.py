"""Plans of a simulation: layers of threads with needs across them, and gates between some."""

from random import Random


def plan(random: Random, number: int, most: int = 4) -> bytes:
    """Two to `most` batches of one to three threads of one to three steps."""
    lines = [
        f"# Plan: Simulated work {number}",
        "",
        "## Summary",
        f"Simulated, number {number}.",
        "",
        "## Stages",
        "",
    ]
    lines += ["### Stage 1: All of it", ""]
    done: list[str] = []
    for batch in range(1, random.randint(2, most) + 1):
        lines += [f"##### Batch {batch:02}: part {batch}", ""]
        here: list[str] = []
        for thread in range(1, random.randint(1, 3) + 1):
            lines += [
                f"###### Thread {thread:02}: lane {thread}",
                f"- Files: `w{number}b{batch}t{thread}/**`",
            ]
            for step in range(1, random.randint(1, 3) + 1):
                key = f"{chr(64 + batch)}{thread}{step}"
                need = f" (needs {random.choice(done)})" if done and random.random() < 0.3 else ""
                lines += [f"- {key}: Do {key}{need}", "  - Exit: it is done"]
                here.append(key)
            lines.append("")
        done += here
        if random.random() < 0.6:
            trigger = " + ".join(here)
            lines += [
                f"### Merge Point MP{batch}",
                f"- **Trigger:** {trigger} complete",
                "- **Action:** Look at it",
                "",
            ]
    return "\n".join(lines).encode()
