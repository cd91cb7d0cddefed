"""One folder for each WhatsApp gateway, behind the protocols of ``base.py``."""
