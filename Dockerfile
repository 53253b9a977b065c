# The image of cginit is two static files, for other images to take (cginitctl where a file of
# services is run, or a control socket is wanted):
#
#	COPY --from=cginit /cginit /cginitctl /usr/bin/
#	ENTRYPOINT ["cginit", "--"]
#
# With BuildKit it cross-compiles, so a build for another platform needs no emulation:
#
#	docker build --platform linux/arm64 -t cginit .
#
# The older builder, which Docker uses where buildx is not installed, sets none of these variables and
# builds for its own platform.
FROM --platform=${BUILDPLATFORM:-linux} golang:1.26 AS build
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
