FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements-build.lock requirements.lock ./
RUN python -m venv --without-pip .venv \
    && python -m pip --python .venv/bin/python install --no-cache-dir --require-hashes -r requirements-build.lock \
    && python -m pip --python .venv/bin/python install --no-cache-dir --require-hashes --no-build-isolation \
        -r requirements.lock
COPY pyproject.toml README.md ./
COPY responder responder
RUN python -m pip --python .venv/bin/python install --no-cache-dir --no-build-isolation --no-deps .

FROM python:3.11-slim-bookworm
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY faq_corpus faq_corpus
COPY templates templates
COPY config.toml ./

# In a container the loopback reaches nobody, and only the volume is written to. Other containers, and the host itself,
# come from private addresses: they may deliver, the rest of the world may not. A variable goes before config.toml:
# whoever brings a config.toml of their own changes these with --env.
ENV PATH=/app/.venv/bin:$PATH \
    RESPONDER_LISTENER__SMTP=0.0.0.0:2525 \
    RESPONDER_LISTENER__LMTP=0.0.0.0:8024 \
    RESPONDER_LISTENER__NETWORKS=127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7 \
    RESPONDER_DESK__LISTEN=0.0.0.0:8080 \
    RESPONDER_DESK__PROXIES=127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7 \
    RESPONDER_SERVICE__STATE=/var/lib/responder \
    RESPONDER_STORE__URL=sqlite:////var/lib/responder/responder.db \
    RESPONDER_COURIER__NEXT_HOP=maildir:/var/lib/responder/replies

# A new volume takes over the owner of the folder it is mounted on.
RUN install -d -o 10001 -g 10001 -m 0750 /var/lib/responder
VOLUME /var/lib/responder
USER 10001:10001
EXPOSE 2525 8024 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=180s CMD ["responder", "health"]
ENTRYPOINT ["responder"]
CMD ["serve"]
