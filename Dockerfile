# The image of cginit is two static files, for other images to take (cginitctl where a file of
# services is run, or a control socket is wanted):
#
#	COPY --from=cginit /cginit /cginitctl /usr/bin/
#	ENTRYPOINT ["cginit", "--"]
#
# It cross-compiles, so a build for another platform needs no emulation. That needs BuildKit, which
# Docker uses by default since version 23:
#
#	docker build --platform linux/arm64 -t cginit .
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH TARGETVARIANT
RUN if [ "$TARGETARCH" = arm ]; then export GOARM="${TARGETVARIANT#v}"; fi; \
    GOOS=$TARGETOS GOARCH=$TARGETARCH make build BIN=/out/

# A shell to try it with: docker build --target try -t cginit-try .
FROM busybox AS try
COPY --from=build /out/cginit /out/cginitctl /usr/bin/
ENTRYPOINT ["cginit", "--"]

FROM scratch
COPY --from=build /out/cginit /out/cginitctl /
ENTRYPOINT ["/cginit"]
