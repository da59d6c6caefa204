"""Plans in prose: Markdown without a grammar of its own, read by what people mean with headings and lists."""
