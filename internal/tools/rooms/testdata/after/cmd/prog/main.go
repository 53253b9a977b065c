package main

import "example.com/after/init/hold"

func main() {
	var c hold.Containment = new(hold.Tree)
	_ = c.(*hold.Tree) // 4
}
