"""Files that messages name by URL: looked at before a campaign sends them."""
