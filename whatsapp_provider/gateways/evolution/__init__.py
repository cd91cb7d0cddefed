"""Evolution API: one server's instances as channels (versions 1.8 and 2)."""
