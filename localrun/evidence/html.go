package evidence

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed page.html
var page string

// HTML writes the document as one page that can be printed: without scripts, and
// without anything that is fetched from elsewhere.
func (f *Facts) HTML(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"shown": shown, "entry": f.Entry, "notShown": func() string { return NotShown },
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		*Facts
		Disclaimer string
		Frameworks []Framework
		Topics     []Topic
	}{f, Disclaimer, Frameworks(), Topics()})
}
