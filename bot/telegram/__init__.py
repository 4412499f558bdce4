"""The Telegram front-end: poller, durable inbox, kill lane, paced outbox."""
