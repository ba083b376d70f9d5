package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sekisho/engine/policyfile"
)

// crowd is what a site has more than the one that is measured beside others.
type crowd struct {
	rules int // of the policy, all of them asked of every subscriber
	nases int
}

func (c crowd) String() string {
	if c == (crowd{}) {
		return ""
	}
	return fmt.Sprintf(", %d rules, %d NASes", c.rules, c.nases)
}

// write writes the site file and, for more rules, a policy beside it.
func (c crowd) write(site, text string) error {
	var routers strings.Builder
	for i := 1; i < c.nases; i++ {
		fmt.Fprintf(&routers, "  bras%d: {source: 10.0.%d.%d, secret: \"%s\", area: tokyo, profile: filter-id}\n", i, i>>8, i&255, nasSecret)
	}
	text = strings.Replace(text, "aaa:\n", routers.String()+"aaa:\n", 1)
	if c.rules > 0 {
		if err := os.WriteFile(filepath.Join(filepath.Dir(site), "policy.yaml"), []byte(c.policy()), 0o600); err != nil {
			return err
		}
		text = strings.Replace(text, "policy: asahi-net", "policy: policy.yaml", 1)
	}
	return os.WriteFile(site, []byte(text), 0o600)
}

// shippedRules is how many rules the policy of ASAHI Net has.
const shippedRules = 6

// policy is that of ASAHI Net, with rules before its own that hold for nobody.
func (c crowd) policy() string {
	shipped, _ := policyfile.Source("asahi-net")
	var more strings.Builder
	more.WriteString("\nrules:\n")
	for i := range c.rules - shippedRules {
		fmt.Fprintf(&more, "  - name: more-%d\n    when: {course: [may-2007, fixed-always], segment: corporate-%d}\n    then: block-all\n    because: {ja: 法人, en: company}\n", i, i)
	}
	return strings.Replace(string(shipped), "\nrules:\n", more.String(), 1)
}
