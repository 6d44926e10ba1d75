"""The function app: registers the blueprints and nothing else."""

import os

import azure.functions as func

from functions import backfill, event_hub, health, status, timers

app = func.FunctionApp()
app.register_functions(event_hub.blueprint(os.environ))
app.register_functions(timers.blueprint(os.environ))
app.register_functions(backfill.blueprint(os.environ))
app.register_functions(health.blueprint())
app.register_functions(status.blueprint())
