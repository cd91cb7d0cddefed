"""A real Airflow and the emulator on one machine: the demo, and the harness of the tests.

``python -m whatsapp_provider.demo`` tells the story; tests use the same parts::

    with AirflowServer(home, dags_folder, connections={...}) as server:
        run = server.rest.trigger("a_dag", conf={...})
        server.wait_run(run)

Nothing is imported here: each part is small and is imported by its own name.
"""
