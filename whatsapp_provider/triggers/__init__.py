"""Waits in Airflow's triggerer. Their class paths and arguments outlive deploys: they are public API."""
