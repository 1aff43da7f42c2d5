"""Xenia in Slack.

What is typed and pressed comes in through `listeners`; answers go out through `render` and `replies`, cards and their
notes through `delivery`.
"""
