package control

// serviceInterface is the interface that every Varlink service has. It describes the service.
const serviceInterface = "org.varlink.service"

// Info is the reply of GetInfo of org.varlink.service: which program answers, and its interfaces.
type Info struct {
	Vendor     string   `json:"vendor"`
	Product    string   `json:"product"`
	Version    string   `json:"version"`
	URL        string   `json:"url"`
	Interfaces []string `json:"interfaces"`
}
