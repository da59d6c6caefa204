"""Shuts in what a step runs.

Tools, tests and scripts are code that somebody handed in (README, "Threat model").
"""
