"""What an identity provider (OpenID Connect) says of who asks: its keys, and tokens that they signed."""
