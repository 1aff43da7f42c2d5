"""The commands: one file each. A file declares its command and makes its plan or report; it executes nothing."""
