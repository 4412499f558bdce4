"""What several tasks learn with: small rules that hold without assumptions that markets break."""
