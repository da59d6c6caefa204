"""Shuts in what a step runs: tools, tests and scripts are code that somebody handed in (README, "Threat
model").
"""
