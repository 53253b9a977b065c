package test

const (
	a = 1
)
