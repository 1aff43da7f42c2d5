"""The domain's knowledge as pure functions over what was read of a pool. Commands and audits share it; a rule lives
once.
"""
