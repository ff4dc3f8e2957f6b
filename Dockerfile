# docs/deploy.md says how to run it.
FROM python:3.13-slim-trixie AS packages
COPY requirements.lock .
RUN python -m venv /opt/dashboard \
    && /opt/dashboard/bin/pip install --no-cache-dir --require-hashes --only-binary :all: \
        -r requirements.lock

FROM python:3.13-slim-trixie
COPY --from=packages /opt/dashboard /opt/dashboard
WORKDIR /app
COPY *.py ./
COPY assets assets/
COPY charts charts/
COPY engine engine/
COPY serving serving/
COPY sources sources/
COPY uploads uploads/
# The root file system may be read-only when it runs.
RUN /opt/dashboard/bin/python -m compileall -q .
ENV PATH=/opt/dashboard/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8050
# Not urllib: it would ask the proxy that may be in the environment.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python", "-c", "\
import sys, http.client as http; \
server = http.HTTPConnection('127.0.0.1', 8050, timeout=4); \
server.request('GET', '/health'); \
sys.exit(server.getresponse().status != 200)"]
# A form without a shell, so that SIGTERM reaches the program. Without --password-file,
# or --no-login, it refuses to start.
ENTRYPOINT ["python", "app.py", "--no-debug", "--host", "0.0.0.0", "--port", "8050"]
