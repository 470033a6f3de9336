"""What a board must keep beyond the shape of its file, and what is made of the boards.

Put here: rules that ask the warehouse or the dbt project, and the exposures. Never here: answering cards.
"""
