"""HubSpot to test against: `server` has its routes, `shop` what it keeps."""
