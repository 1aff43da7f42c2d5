"""Answers as Slack's Block Kit. Pure: values in, plain dictionaries out; nothing here talks to Slack."""
