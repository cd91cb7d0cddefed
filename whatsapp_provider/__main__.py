"""``python -m whatsapp_provider``: the commands where Airflow takes none of a provider."""

from whatsapp_provider.cli import main

if __name__ == "__main__":
    main()
