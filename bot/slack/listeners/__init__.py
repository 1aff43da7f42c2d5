"""What the bot hears in Slack, a module for each kind of payload. A listener acknowledges and notes what to do."""
