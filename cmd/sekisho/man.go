package main

import (
	_ "embed"
	"strings"
	"text/template"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"
)

//go:embed man.md.tmpl
var manText string

func manCommand() *cli.Command {
	return &cli.Command{
		Name:        "man",
		Usage:       "print the manual page, made from what the verbs say of themselves",
		Description: "To read it:   sekisho man | man -l -\nTo install it: sekisho man > /usr/local/share/man/man8/sekisho.8",
		Action: func(c *cli.Context) error {
			page, err := manPage(c.App)
			if err != nil {
				return err
			}
			_, err = c.App.Writer.Write(page)
			return err
		},
	}
}

// manVerb is a verb as the page has it.
type manVerb struct {
	Name, Arguments, Usage, Description string
	Flags                               []string // as Markdown
}

func manPage(app *cli.App) ([]byte, error) {
	page, err := template.New("man").Parse(manText)
	if err != nil {
		return nil, err
	}
	var markdown strings.Builder
	err = page.Execute(&markdown, map[string]any{
		"Usage": app.Usage, "Release": release, "Flags": manFlags(app.Flags), "Verbs": manVerbs(app.Commands, app.Name),
	})
	return md2man.Render([]byte(markdown.String())), err
}

func manVerbs(commands []*cli.Command, before string) (verbs []manVerb) {
	for _, c := range commands {
		if c.Hidden {
			continue
		}
		name := before + " " + c.Name
		verb := manVerb{name, markdownText(c.ArgsUsage), markdownText(c.Usage), markdownText(c.Description), manFlags(c.Flags)}
		verbs = append(append(verbs, verb), manVerbs(c.Subcommands, name)...)
	}
	return verbs
}

// manFlags are flags as lines like **--nas**, **-n** *NAS*: what it does.
func manFlags(flags []cli.Flag) (lines []string) {
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		var names []string
		for _, name := range f.Names() {
			names = append(names, "**"+strings.Repeat("-", min(len(name), 2))+name+"**")
		}
		placeholder, usage := flagWords(doc)
		line := strings.Join(names, ", ")
		if placeholder != "" {
			line += " *" + markdownText(placeholder) + "*"
		}
		lines = append(lines, line+": "+markdownText(usage))
	}
	return lines
}

// flagWords are the word for a flag's value, in backquotes in its usage, and
// the usage without them, with the default and the environment's name.
func flagWords(doc cli.DocGenerationFlag) (placeholder, usage string) {
	usage = doc.GetUsage()
	if doc.TakesValue() {
		placeholder = "VALUE"
		if _, after, ok := strings.Cut(usage, "`"); ok {
			placeholder, _, _ = strings.Cut(after, "`")
		}
	}
	usage = strings.ReplaceAll(usage, "`", "")
	if value := doc.GetDefaultText(); doc.TakesValue() && strings.Trim(value, `"`) != "" {
		usage += ". Default: " + strings.Trim(value, `"`)
	}
	if names := doc.GetEnvVars(); len(names) > 0 {
		usage += ". Environment: " + strings.Join(names, ", ")
	}
	return placeholder, usage
}

// markdownText keeps the signs of a text from being read as Markdown; a line
// stays a line.
func markdownText(text string) string {
	text = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "|", `\|`, "`", "\\`", "#", `\#`).Replace(text)
	return strings.ReplaceAll(text, "\n", "  \n")
}
