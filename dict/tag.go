package dict

import (
	"fmt"
	"strconv"
	"strings"

	"layeh.com/radius/dictionary"
)

// highestTag of a tagged attribute (RFC 2868 section 3.1).
const highestTag = 0x1f

// cutTag splits ERX-Service-Activate:1 into the name and the tag; 0 for none.
func cutTag(name string) (string, byte, error) {
	name, digits, tagged := strings.Cut(name, ":")
	if !tagged {
		return name, 0, nil
	}
	tag, err := strconv.ParseUint(digits, 10, 8)
	if err != nil || tag < 1 || tag > highestTag {
		return name, 0, fmt.Errorf("%s: expected a tag from 1 to %d behind the colon, got %q", name, highestTag, digits)
	}
	return name, byte(tag), nil
}

// withTag puts the tag where the attribute's type has it: before text, in the
// first octet of a number.
func (a *Attribute) withTag(tag byte, value []byte) []byte {
	switch {
	case tag == 0:
		return value
	case a.Kind == dictionary.AttributeInteger && len(value) == 4:
		value[0] = tag
		return value
	}
	return append([]byte{tag}, value...)
}
