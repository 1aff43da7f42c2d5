"""The worlds a sandbox can hold: one module per lab, the parts they are built of, and the files they come from."""
