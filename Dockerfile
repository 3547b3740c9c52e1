# One image for every role; the servers run elsewhere, so the `embedded` extra stays out.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md constraints.txt LICENSE ./
COPY src src
COPY projections projections
RUN python -m venv /opt/daybook && /opt/daybook/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.13-slim
COPY --from=build /opt/daybook /opt/daybook
ENV PATH=/opt/daybook/bin:$PATH PYTHONUNBUFFERED=1 DAYBOOK_DATA=/var/lib/daybook DAYBOOK_HTTP_HOST=0.0.0.0
RUN useradd --system --home-dir /var/lib/daybook --create-home daybook
USER daybook
EXPOSE 8080
ENTRYPOINT ["daybook"]
CMD ["run", "api"]
