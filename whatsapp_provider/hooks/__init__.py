"""From an Airflow connection to a gateway, and from Airflow's configuration to the ledger."""
