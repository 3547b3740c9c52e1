"""What an identity provider (OpenID Connect) says of who asks: its keys, its tokens, logins with it."""
