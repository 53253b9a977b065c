package main

// The directories and types that are measured, relative to the root of the module.
const (
	supervisorDir  = "init"
	supervisorType = "Supervisor"

	lifeDir = "init/life"

	holdDir       = "init/hold"
	holdInterface = "Containment"
	holdLevel     = "Level"

	// Until holdDir exists, the interface and the levels are taken from here, and every use counts.
	holdBeforeDir       = supervisorDir
	holdBeforeInterface = "containment"
)

// lifeTypes are the types of lifeDir whose state no other package may write.
var lifeTypes = []string{"Run", "Job"}

// lengthDirs hold the functions and files whose lengths are measured.
var lengthDirs = []string{"cmd", "init", "cgroup"}

// maxFunction and maxFile are the lines above which a function or file is too long.
const (
	maxFunction = 60
	maxFile     = 400
)

// The names of what is measured, as they are printed.
const (
	methodsName     = "methods of Supervisor"
	fieldsName      = "fields of Supervisor"
	filesName       = "files of init"
	edgesName       = "edges between them"
	mutualName      = "mutual pairs"
	cycleName       = "largest cycle of files"
	lifeName        = "exported fields of life.Run and life.Job"
	assertsName     = "type assertions on hold.Containment outside"
	comparesName    = "comparisons with hold.Level constants outside"
	funcCountName   = "functions of cmd, init, cgroup"
	funcMedianName  = "function lines, median"
	funcP90Name     = "function lines, p90"
	funcMaxName     = "function lines, max"
	funcLongName    = "functions above 60 lines, other than step"
	fileCountName   = "files of cmd, init, cgroup"
	fileMedianName  = "file lines, median"
	fileP90Name     = "file lines, p90"
	fileMaxName     = "file lines, max"
	fileLongName    = "files above 400 lines"
	goLinesName     = "lines of Go"
	testLinesName   = "lines of tests"
	testPercentName = "percent of lines that are tests"
)

// limits holds the largest accepted value of each figure. A figure without a limit is only printed.
var limits = map[string]int{
	methodsName:    130,
	fieldsName:     25,
	cycleName:      20,
	lifeName:       0,
	assertsName:    0,
	comparesName:   0,
	funcMedianName: 10,
	funcLongName:   0,
	fileMedianName: 110,
	fileLongName:   0,
}
