# The image of cginit is two static files, for other images to take (cginitctl where a file of
# services is run, or a control socket is wanted):
#
#	COPY --from=cginit /cginit /cginitctl /usr/bin/
#	ENTRYPOINT ["cginit", "--"]
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# As "make build" does it. The entry, where it exists, makes signals count from the first instruction on.
RUN case $(go env GOARCH) in amd64|arm64) entry=-E=github.com/cginit/cginit/internal/birth.entry ;; esac; \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false \
    -ldflags="-s -w" -ldflags="github.com/cginit/cginit/cmd/cginit=-s -w $entry" \
    -gcflags=github.com/cginit/cginit/init/config=-l -o /out/ ./cmd/...

# A shell to try it with: docker build --target try -t cginit-try .
FROM busybox AS try
COPY --from=build /out/cginit /out/cginitctl /usr/bin/
ENTRYPOINT ["cginit", "--"]

FROM scratch
COPY --from=build /out/cginit /out/cginitctl /
ENTRYPOINT ["/cginit"]
