"""Engines: what holds sessions and answers questions about them.

`engine.model` has the questions, the answers and the `Engine` protocol;
`engine.memory` an engine for sessions held in this process.
"""
