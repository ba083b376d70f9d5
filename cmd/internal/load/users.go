package load

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ReadUsers reads subscribers from CSV: a header line that names the columns
// user, password and filter, in any order; user must be there. Without a
// password column everybody has the one given. With a filter column each
// Accept must have exactly that Filter-Id, none where the field is empty. The
// name stands for the file in errors.
func ReadUsers(name string, r io.Reader, password string) ([]User, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: empty; expected a line of column names: user, password, filter", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	at := map[string]int{}
	for i, column := range header {
		if !slices.Contains([]string{"user", "password", "filter"}, column) {
			return nil, fmt.Errorf("%s:1: unknown column %q; known are user, password, filter", name, column)
		}
		at[column] = i
	}
	if _, ok := at["user"]; !ok {
		return nil, fmt.Errorf("%s:1: the column user is missing", name)
	}
	var users []User
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return users, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		u := User{Name: row[at["user"]], Password: password}
		if i, ok := at["password"]; ok {
			u.Password = row[i]
		}
		if i, ok := at["filter"]; ok {
			u.Filter, u.Checked = row[i], true
		}
		users = append(users, u)
	}
}
