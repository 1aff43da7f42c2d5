"""The workspace's page, driven in a real browser against the real workspace and a real slack_bolt app."""
