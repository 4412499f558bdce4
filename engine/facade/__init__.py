"""All that a front-end may import: commands in, reports out, notices as a stream."""
