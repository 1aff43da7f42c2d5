"""What is audited: the rules over a pool's inventory, and their findings followed over time."""
