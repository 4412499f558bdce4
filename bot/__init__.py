"""Front-ends: Telegram and the terminal, both clients of the facade."""
