# The image of every service in docker-compose.yml: the locked environment and the project, run by an ordinary user.
FROM python:3.11-slim
RUN useradd --create-home --uid 10001 shopx && install -d -o shopx -g shopx /app /home/shopx/data
WORKDIR /app
USER shopx
COPY --chown=shopx:shopx . .
ENV PATH=/app/.venv/bin:$PATH SHOPX_HOME=/home/shopx/data PYTHONUNBUFFERED=1
# makes .venv from requirements.lock, hashes checked
RUN ./shopx --version
ENTRYPOINT ["sh", "-c", "eval \"$(shopx env)\" && exec \"$@\"", "shopx"]
