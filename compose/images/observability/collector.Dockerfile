# The Collector's image, for machines that reach a registry: the Collector's own and a busybox, which the health
# check needs. Elsewhere pack-image.ts packs the natively built Collector into the same tag.
#
#   docker build -t cloudlysis/otel-collector:0.165.0 -f compose/images/observability/collector.Dockerfile compose/images/observability
FROM busybox:1.37.0-musl AS busybox
FROM otel/opentelemetry-collector:0.165.0
COPY --from=busybox /bin/busybox /bin/busybox
