TillMain.run()
