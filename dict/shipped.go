package dict

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"sekisho/engine/yamldoc"
)

//go:embed profiles/*.yaml
var profileFiles embed.FS

var shippedProfiles = sync.OnceValue(func() map[string]ProfileSpec {
	specs := map[string]ProfileSpec{}
	files, err := fs.Glob(profileFiles, "profiles/*.yaml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, file := range files {
		src, err := profileFiles.ReadFile(file)
		if err != nil {
			panic(err) // embedded: cannot be missing
		}
		spec, _, problems := yamldoc.Decode[ProfileSpec](file, src)
		if err := problems.Err(); err != nil {
			panic(fmt.Errorf("shipped profile: %w", err)) // held by the tests
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "profiles/"), ".yaml")
		specs[name] = spec
	}
	return specs
})

// ShippedProfiles returns the names of the profiles that ship with sekisho,
// sorted.
func ShippedProfiles() []string {
	return slices.Sorted(maps.Keys(shippedProfiles()))
}

// ShippedProfile returns a shipped profile by name.
func ShippedProfile(name string) (ProfileSpec, bool) {
	spec, ok := shippedProfiles()[name]
	return spec, ok
}
