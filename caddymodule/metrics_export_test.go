package caddymodule

// LookAtFiles has the configuration in force look for changed files, as it does
// every second.
func LookAtFiles() {
	app, err := activeApp()
	if err != nil {
		panic(err)
	}
	app.reloadFiles()
}
