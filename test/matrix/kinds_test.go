package matrix

import "github.com/cginit/cginit/test/internal/pod"

// kind is what the proof has to know of a kind of tree.
type kind struct {
	sizes []int
	deaf  deafness
	// isTraced says that processes are stopped by their tracer, so the receipt may say so.
	isTraced bool
	// needsCgroups says that the main process makes cgroups.
	needsCgroups bool
}

// deafness says who in a tree ignores the signals that can be ignored, and has to be killed.
type deafness int

const (
	nobody deafness = iota
	others          // all but the main process
	everybody
)

var (
	some = []int{1, 10}
	many = []int{1, 10, 200, 2000}
)

// kinds are the kinds of trees. test/trees describes them.
var kinds = map[string]kind{
	"plain":    {sizes: many},
	"setsid":   {sizes: many},
	"daemon":   {sizes: many},
	"deaf":     {sizes: many, deaf: everybody},
	"chain":    {sizes: many},
	"nested":   {sizes: many, needsCgroups: true},
	"stopped":  {sizes: many},
	"bomb":     {sizes: []int{1, 10, 200}},
	"headless": {sizes: some, deaf: others},

	"headless-main":  {sizes: some, deaf: everybody},
	"traced":         {sizes: []int{2, 10}, deaf: others, isTraced: true},
	"no-exit-signal": {sizes: some, deaf: others},
	"clone-parent":   {sizes: some, deaf: others},
	"vfork":          {sizes: []int{2, 10}, deaf: others},
	"inner-pidns":    {sizes: some, deaf: others},
	"inner-userns":   {sizes: some, deaf: others},
	"inner-cgroupns": {sizes: some, deaf: others},
	"memfd":          {sizes: some, deaf: others},
	"no-argv":        {sizes: some, deaf: others},
	"threaded":       {sizes: some, deaf: others, needsCgroups: true},
	"page-fault":     {sizes: some, deaf: others},
	"sqpoll":         {sizes: some, deaf: others},
	"fuse":           {sizes: []int{2, 10}, deaf: others},
	"core-dump":      {sizes: []int{1, 4}, deaf: others},
}

// isFor tells whether the kind can be had in a mode: no cgroups can be made where cgroup2 is read-only.
func (k kind) isFor(mode pod.Mode) bool { return !k.needsCgroups || mode != pod.NoCgroup }
