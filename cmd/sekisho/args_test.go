package main

import (
	"slices"
	"strings"
	"testing"
)

func TestFlagsMayFollowArguments(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing to do", "sekisho explain --nas n u", "sekisho explain --nas n u"},
		{"a flag behind its argument", "sekisho explain u --nas n", "sekisho explain --nas n u"},
		{"a flag joined to its value", "sekisho explain u --nas=n", "sekisho explain --nas=n u"},
		{"a flag without a value", "sekisho serve x --debug", "sekisho serve --debug x"},
		{"a short flag with a value", "sekisho contracts list p -o json", "sekisho contracts list -o json p"},
		{"the program's flag behind a command", "sekisho contracts list --socket s p", "sekisho --socket s contracts list p"},
		{"the program's flag between commands", "sekisho contracts --socket s list", "sekisho --socket s contracts list"},
		{"an argument that is named like a command", "sekisho explain serve --nas n", "sekisho explain --nas n serve"},
		{"behind -- nothing moves", "sekisho explain -- u --nas n", "sekisho explain -- u --nas n"},
		{"a lonely dash is an argument", "sekisho contracts import - --dry-run", "sekisho contracts import --dry-run -"},
		{"an unknown flag stays with its command", "sekisho explain u --what", "sekisho explain --what u"},
		{"a value that looks like a command", "sekisho --socket demo status", "sekisho --socket demo status"},
		{"behind __complete nothing moves", "sekisho __complete -- explain -o json u", "sekisho __complete -- explain -o json u"},
		{"no arguments at all", "sekisho", "sekisho"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(flagsFirst(newApp(), strings.Fields(tt.in)), " ")
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzFlagsFirst(f *testing.F) {
	for _, seed := range []string{"explain u --nas n", "-o csv overrides list --all", "a -- -b", "__complete -- x", "--socket", "- --=x -"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		in := strings.Fields("sekisho " + line)
		out := flagsFirst(newApp(), in)
		if got, want := slices.Sorted(slices.Values(out)), slices.Sorted(slices.Values(in)); !slices.Equal(got, want) {
			t.Errorf("%q became %q: words were lost or made up", in, out)
		}
	})
}
