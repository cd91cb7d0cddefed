"""The Bots API (Waabot): an unofficial gateway whose account creates bots, each reached by a pair of its own."""
