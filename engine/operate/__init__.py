"""The hot path, the roles, the supervisor, recording and replay."""
