//go:build race

package config

// raceDetector tells whether the test runs under the race detector.
const raceDetector = true
