"""Apache Airflow provider for WhatsApp channels and campaigns.

Airflow imports this package in every process, so nothing but the version lives here.
"""

__version__ = "0.1.0"
